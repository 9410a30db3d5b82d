set allowed_directories = [{paths}];
